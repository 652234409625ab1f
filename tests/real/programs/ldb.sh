# Its modules are opened with RTLD_DEEPBIND, and free what the program allocated.
packages="ldb-tools"
work() {
    for i in $(seq 2000); do
        printf 'dn: cn=user%d,dc=example\nobjectClass: person\ncn: user%d\nmail: user%d@example\ndescription: %0200d\n\n' $i $i $i $i
    done >users.ldif
    export LDB_URL=$PWD/users.ldb
    ldbadd users.ldif
    ldbsearch -S '(cn=user19*)' cn mail | md5sum
    ldbdel cn=user7,dc=example
    ldbsearch '(description=*)' | tail -n 3
}
