# Arrays, strings, subshells, here-documents, process substitution.
packages="bash"
work() {
    cat >w.sh <<'S'
shopt -s extglob globstar
declare -A m; a=() s=
for ((i = 0; i < 30000; i++)); do
    k=k$((i * 7919 % 2003)); m[$k]+=$i,; a+=("${k}_$i"); s+=${k:1:2}
    ((i % 1000)) || { a=("${a[@]:500}"); s=${s//1/one}; s=${s: -4000}; }
done
echo "${#m[@]} ${#a[@]} ${#s}"
for k in "${!m[@]}"; do echo "$k ${m[$k]}"; done | sort | sha256sum
printf '%s\n' "${a[@]^^}" "${a[@]/#k/x}" "${s//[0-4]/-}" | sha256sum
f() { (($1 < 2)) && { echo "$1"; return; }; echo $(($(f $(($1 - 1))) + $(f $(($1 - 2))))); }
f 12
for i in {1..200}; do (x=$(printf '%*s' $i | tr ' ' "$i"); echo "${x:0:9}$(echo $((i * i)))"); done | sha256sum
mapfile -t b < <(seq 20000); echo "${#b[@]} $(cat <<<"${b[*]: -3}")"
re='^([a-z]+)_([0-9]+)$'; n=0; for x in "${a[@]}"; do [[ $x =~ ^(k[0-9]+)_([0-9]+)$ ]] && ((n += BASH_REMATCH[2] % 7)); done; echo $n
for i in 1 2 3 4; do { for j in {1..3000}; do v=$v$j; v=${v: -500}; done; echo "$i $v" >o$i; } & done; wait; cat o? | sha256sum
mkdir -p d/{a..h}/{a..h}/{1..9}; echo d/**/@(a|b)/!(3) | sha256sum
S
    bash w.sh
}
