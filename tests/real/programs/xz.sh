# Threaded compressors there and back.
packages="xz-utils zstd bzip2"
work() {
    lines 400000 >t
    sum <t
    xz -T2 -3 --block-size=2MiB -k t && xz -l --robot t.xz | sed -n 2p && xz -T2 -dc t.xz | sum
    zstd -q -T2 -12 t -o t.zst && sum <t.zst && zstd -dc t.zst | sum
    head -c 4000000 t | bzip2 | bunzip2 | sum
    xz -9e --memlimit=400MiB -c <(head -c 1500000 t) | sum
}
