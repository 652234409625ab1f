# JSON, Map, Buffers, zlib and crypto in the thread pool, worker_threads.
packages="nodejs"
work() {
    cat >w.js <<'J'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const zlib = require('zlib'), crypto = require('crypto'), util = require('util');
const md5 = b => crypto.createHash('md5').update(b).digest('hex');
const rng = x => n => (x = x * 16807 % 2147483647) % n;
function job(seed) {
  const rnd = rng(seed), m = new Map(); let h = 0;
  for (let i = 0; i < 60000; i++) {
    m.set('k' + rnd(4000), Buffer.allocUnsafeSlow(1 + rnd(i % 100 ? 5000 : 300000)).fill(i & 255, 0, 1));
    const b = m.get('k' + rnd(4000)); if (b) h = (h * 31 + b[0] + b.length) | 0;
  }
  const o = [...m].map(([k, v]) => ({ k, n: v.length, s: 'é'.repeat(rnd(20)) }));
  return [m.size, h, md5(JSON.stringify(JSON.parse(JSON.stringify(o))))].join(' ');
}
if (!isMainThread) parentPort.postMessage(job(workerData));
else (async () => {
  console.log('main', job(5));
  const ws = [1, 2, 3, 4].map(s => new Promise((ok, no) => {
    const w = new Worker(__filename, { workerData: s }); let r;
    w.on('message', m => r = m).on('error', no).on('exit', c => c ? no(c) : ok(r)); }));
  (await Promise.all(ws)).forEach(r => console.log('worker', r));
  const src = Buffer.from(Array.from({ length: 200000 }, (_, i) => i * 7919 % 1000).join(','));
  const gz = util.promisify(zlib.gzip), un = util.promisify(zlib.gunzip), br = util.promisify(zlib.brotliCompress);
  for (const z of await Promise.all([...Array(8).keys()].map(k => gz(src.subarray(k * 5000), { level: 6 }).then(un)))) console.log('gzip', z.length, md5(z));
  console.log('brotli', md5(await br(src.subarray(0, 200000))));
  const kd = util.promisify(crypto.scrypt);
  for (const k of await Promise.all([1, 2, 3, 4].map(i => kd('p' + i, 'salt', 32, { N: 4096 })))) console.log('scrypt', k.toString('hex'));
  for (let i = 0; i < 3; i++) console.log('vm', require('vm').runInNewContext('let s=""; for (let i=0;i<1e5;i++) s+=i; s.length'));
})();
J
    node w.js
    node --max-old-space-size=200 -e 'let a=[]; for (let i=0;i<3e6;i++) a[i%50000]={i,s:"x"+i}; console.log(a.length, a[49999].s)'
}
