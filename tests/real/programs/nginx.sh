# Two workers with a thread pool, gzip, TLS and a proxy, under ab and curl.
packages="nginx apache2-utils curl openssl"
work() {
    local p t pid u i
    p=$(free_port) t=$(free_port)
    mkdir -p w tmp
    for i in 1 50 3000 40000; do lines $i >w/$i.txt; done
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 9 -subj /CN=localhost 2>/dev/null
    cat >n.conf <<C
user root; worker_processes 2; daemon off; pid $PWD/pid; error_log stderr warn;
thread_pool default threads=4; events { worker_connections 512; }
http {
  access_log $PWD/access.log; sendfile on; aio threads; types { text/plain txt; } gzip on; gzip_http_version 1.0; gzip_types text/plain;
  client_body_temp_path tmp/a; proxy_temp_path tmp/b; fastcgi_temp_path tmp/c; uwsgi_temp_path tmp/d; scgi_temp_path tmp/e;
  proxy_cache_path $PWD/tmp/cache keys_zone=k:1m;
  server { listen 127.0.0.1:$p; listen unix:$PWD/s; listen 127.0.0.1:$t ssl; root $PWD/w;
    ssl_certificate $PWD/cert.pem; ssl_certificate_key $PWD/key.pem;
    location /direct/ { sendfile off; alias $PWD/w/; }
    location /proxy/ { proxy_pass http://unix:$PWD/s:/; }
    location /cached/ { proxy_cache k; proxy_cache_valid 200 1m; proxy_pass http://unix:$PWD/s:/; } }
}
C
    nginx -p "$PWD/" -e stderr -c n.conf &
    pid=$!
    u=http://127.0.0.1:$p
    wait_for curl -sf $u/1.txt
    for i in $pid $(cat /proc/$pid/task/*/children); do preloaded $i; done
    load() { ab -q -k -c 32 "$@" 2>&1 | grep -E '^(Complete|Failed|Non-2xx|Document Length|apr_|SSL)' ; }
    load -n 20000 $u/50.txt
    load -n 4000 -H 'Accept-Encoding: gzip' $u/3000.txt
    load -n 4000 $u/proxy/3000.txt
    load -n 1500 https://127.0.0.1:$t/50.txt | grep -v '^SSL'
    for i in 1 50 3000 40000; do
        curl -sf $u/$i.txt $u/direct/$i.txt $u/proxy/$i.txt | sum
        curl -sf --compressed $u/cached/$i.txt $u/cached/$i.txt | sum
        curl -skf -r 100-2000 https://127.0.0.1:$t/$i.txt | sum || echo none
    done
    curl -s -o /dev/null -w '%{http_code}\n' $u/none
    kill -HUP $pid
    sleep 1
    load -n 2000 $u/3000.txt
    kill -QUIT $pid
    wait $pid
    grep -vc ' 20[06] ' access.log
}
