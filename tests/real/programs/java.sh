# javac and an allocation-heavy run under three collectors.
packages="openjdk-17-jdk-headless"
limit=180
work() {
    cat >W.java <<'J'
import java.nio.ByteBuffer; import java.util.*; import java.util.concurrent.*; import java.util.stream.*; import java.util.zip.*;
public class W {
    static String job(int seed) throws Exception {
        Random r = new Random(seed); Map<String, List<byte[]>> m = new HashMap<>(); long h = 0;
        for (int i = 0; i < 100000; i++) {
            List<byte[]> l = m.computeIfAbsent("k" + r.nextInt(500), k -> new LinkedList<>());
            l.add(new byte[r.nextInt(200)]); if (l.size() > 50) h += l.remove(0).length;
            if (i % 100 == 0) { ByteBuffer b = ByteBuffer.allocateDirect(1 + r.nextInt(100000)); b.put(0, (byte) i); h += b.get(0); }
            if (i % 1000 == 0) { Deflater d = new Deflater(); d.setInput(new byte[50000]); d.finish(); h += d.deflate(new byte[60000]); d.end(); }
        }
        return seed + " " + h + " " + m.size();
    }
    public static void main(String[] a) throws Exception {
        ExecutorService e = Executors.newFixedThreadPool(4); List<Future<String>> f = new ArrayList<>();
        for (int i = 0; i < 8; i++) { int s = i; f.add(e.submit(() -> job(s))); }
        for (Future<String> x : f) System.out.println(x.get());
        e.shutdown();
        Map<Integer, Long> g = IntStream.range(0, 300000).parallel().mapToObj(i -> "s" + i * 7919L % 100003).collect(Collectors.groupingBy(String::length, TreeMap::new, Collectors.counting()));
        System.out.println(g);
        for (int i = 0; i < 50; i++) { Thread[] t = new Thread[8]; for (int j = 0; j < 8; j++) (t[j] = new Thread(() -> { StringBuilder s = new StringBuilder(); for (int k = 0; k < 999; k++) s.append(k); })).start(); for (Thread x : t) x.join(); }
    }
}
J
    local o="-Xmx256m -XX:ActiveProcessorCount=2" g
    javac -J-Xmx256m W.java
    java -version 2>&1
    for g in SerialGC ParallelGC G1GC; do java $o -XX:+Use$g W; done
}
