# Every allocation from malloc (USE_ZEND_ALLOC=0), then with Zend's own manager.
packages="php-cli"
work() {
    cat >w.php <<'P'
<?php mt_srand(7); ini_set('memory_limit', '-1'); $m = [];
for ($i = 0; $i < 300000; $i++) { $k = 'k' . mt_rand(0, 5000); $m[$k][] = str_repeat(chr(97 + $i % 26), mt_rand(0, 90)); if (count($m[$k]) > 15) array_splice($m[$k], 0, 8); }
ksort($m); $j = json_encode($m); echo strlen($j), ' ', md5($j), ' ', md5(serialize(json_decode($j, true))), "\n";
echo preg_match_all('/"(k\d*7)":\["(a+|b+)/', $j), ' ', md5(preg_replace_callback('/([c-f])\1+/', fn($x) => strlen($x[0]), $j)), "\n";
class N { public $l, $r; public function __construct(public $v) {} } $root = new N(0);
for ($i = 0; $i < 60000; $i++) { $v = mt_rand(); $n = $root; while (true) { $s = $v < $n->v ? 'l' : 'r'; if (!$n->$s) { $n->$s = new N($v); break; } $n = $n->$s; } }
$d = fn($n) => 0; $d = function ($n) use (&$d) { return $n ? 1 + max($d($n->l), $d($n->r)) : 0; }; echo $d($root), "\n";
function g() { for ($i = 0; $i < 100000; $i++) yield $i => [$i, "x$i"]; } $s = 0; foreach (g() as $k => [$a, $b]) $s += strlen($b) * $k % 7; echo $s, "\n";
echo md5(gzcompress($j, 6)), ' ', md5(implode(',', array_map('strrev', explode(',', $j)))), "\n";
P
    # As installed: its extensions are opened with RTLD_DEEPBIND.
    USE_ZEND_ALLOC=0 php w.php
    php w.php
    php -v | head -n 1
    php -m
}
