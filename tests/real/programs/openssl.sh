# Keys, certificates, signatures, ciphers, a TLS server and client.
packages="openssl"
work() {
    lines 200000 >t
    local a p pid i
    for a in sha256 sha3-256 blake2b512; do openssl dgst -$a t; done
    for a in aes-256-cbc chacha20 camellia-128-ctr; do
        openssl enc -$a -pbkdf2 -S 0011223344556677 -k pw -in t -out t.e && sum <t.e && openssl enc -d -$a -pbkdf2 -S 0011223344556677 -k pw -in t.e | sum
    done
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 9 -subj /CN=ca 2>/dev/null
    for i in 1 2 3; do
        openssl ecparam -genkey -name prime256v1 -noout -out $i.key
        openssl req -new -key $i.key -subj /CN=host$i -out $i.csr
        openssl x509 -req -in $i.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 5 -out $i.pem 2>/dev/null
        openssl verify -CAfile ca.pem $i.pem
        openssl dgst -sha256 -sign $i.key -out sig t && openssl dgst -sha256 -verify <(openssl pkey -in $i.key -pubout) -signature sig t
    done
    openssl cms -sign -in t -signer 1.pem -inkey 1.key -binary -nodetach -outform DER -out c && openssl cms -verify -inform DER -in c -CAfile ca.pem -purpose any 2>&1 >t2 | tail -1
    cmp t t2 && openssl prime -generate -bits 512 | wc -l
    p=$(free_port)
    openssl s_server -accept $p -cert 1.pem -key 1.key -WWW -quiet &
    pid=$!
    get() { printf 'GET /t HTTP/1.0\r\n\r\n' | openssl s_client -connect 127.0.0.1:$p -CAfile ca.pem -quiet -ign_eof 2>/dev/null; }
    ready() { get | grep -c fox; }
    wait_for ready
    preloaded $pid
    for i in 1 2 3 4; do get | sum; done
    kill $pid; wait $pid || true
}
