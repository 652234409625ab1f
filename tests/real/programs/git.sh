# 30 commits over some hundred files, clone, threaded repack, fsck, log.
packages="git"
work() {
    export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=c GIT_COMMITTER_EMAIL=c@d GIT_CONFIG_NOSYSTEM=1
    local git=/usr/bin/git i
    lines 60000 >text
    $git init -q -b main r
    for i in {1..30}; do
        mkdir -p r/d$((i % 6))
        split -a 3 -l 60 --additional-suffix=.txt <(sed -n "$((i * 700)),$((i * 700 + 1300))p" text) r/d$((i % 6))/f$((i % 9))
        [ $((i % 7)) -ne 0 ] || rm -r r/d$(((i + 2) % 6))
        export GIT_AUTHOR_DATE="$((1600000000 + i * 1000)) +0000" GIT_COMMITTER_DATE="$((1600000000 + i * 1000)) +0000"
        $git -C r add -A
        $git -C r commit -q -m "commit $i"
        [ $((i % 10)) -ne 5 ] || $git -C r checkout -q -b b$i
    done
    $git -C r checkout -q main
    $git -C r merge -q -X theirs -m merge b25
    $git clone -q --no-local r c.git --bare 2>&1
    $git -C c.git -c pack.threads=2 repack -adfq --threads=2 --depth=50 --window=50
    $git -C c.git fsck --full --strict
    $git -C c.git log -p --all --stat -M | sum
    $git -C c.git rev-list --objects --all | sort | sum
    $git -C c.git grep -c fox main -- d1 | sort | sum
    for i in d1 d4; do $git -C r blame -s "$($git -C r ls-files $i | head -1)" | sum; done
    $git -C r -c grep.threads=2 -c index.threads=2 status --short
    $git -C c.git gc -q --aggressive --prune=now
    $git -C c.git count-objects -v | grep -E '^(count|in-pack|packs|garbage)'
}
