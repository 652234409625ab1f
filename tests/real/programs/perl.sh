# Strings, hashes, regexes, sorting, fork, ithreads.
packages="perl"
work() {
    cat >w.pl <<'P'
use strict; use warnings; use threads; use Digest::MD5 'md5_hex'; use Storable qw(freeze thaw);
my $x = 42; sub rnd { $x = ($x * 16807) % 2147483647; $x % $_[0] }
my (%h, @w);
for my $i (1 .. 150000) { my $k = sprintf "k%x", rnd(40000); $h{$k} .= chr(97 + rnd(26)); push @w, $k if $i % 3 == 0 }
print "hash ", scalar(keys %h), " ", md5_hex(join ",", map { "$_=$h{$_}" } sort keys %h), "\n";
my $t = join " ", @w; my $n = () = $t =~ /k(\w)\w*\1\b/g; (my $u = $t) =~ s/(\w+) (\w+)/$2-$1/g;
print "regex $n ", md5_hex($u), "\n";
my $s = ""; for (1 .. 20000) { $s .= "x" x rnd(50); substr($s, rnd(length($s) + 1), 0) = "yz"; $s = substr($s, 9) if length $s > 30000 }
print "string ", length $s, " ", md5_hex($s), "\n";
my @aoh = map { { id => $_, l => [1 .. rnd(20)], s => "v" x rnd(300) } } 1 .. 20000;
my $c = thaw(freeze(\@aoh)); print "storable ", md5_hex(join ",", map { "$_->{id}:@{$_->{l}}:$_->{s}" } @$c), "\n";
my @t = map { my $k = $_; threads->create(sub { my %m; $m{$_ * $k % 5003} .= "q$_" for 1 .. 20000; md5_hex(join ",", map { $m{$_} } sort keys %m) }) } 1 .. 4;
print "thread ", $_->join, "\n" for @t;
for my $k (1 .. 5) { my $p = open(my $fh, "-|") // die; if (!$p) { my @l = map { "z" x $_ } 1 .. 2000; print md5_hex(join "", reverse @l), "\n"; exit 0 } print "fork ", <$fh>; close $fh or die }
P
    perl w.pl
}
