# A document of a thousand paragraphs and a table converted without a screen: to PDF, ODT, text and back. The peak of each run is in its .err.
packages="libreoffice-writer-nogui python3"
slow=1
limit=400
work() {
    { echo '<html><body><h1>Title</h1>'; lines 6000 | sed 's/.*/<p>&<b>bold<\/b> and more of it, and <i>more<\/i><\/p>/'
      echo '<table>'; for i in {1..1500}; do echo "<tr><td>$i</td><td>cell $((i * 7))</td><td>x</td></tr>"; done; echo '</table></body></html>'; } >in.html
    convert() { # TO FROM
        command time -f "peak of the conversion to $1: %M KiB" soffice --headless --norestore "-env:UserInstallation=file://$PWD/profile" \
            --convert-to "$1" --outdir out "$2" >log 2>peak || { cat log peak >&2; return 1; }
        cat log peak >&2
    }
    convert odt:writer8 in.html
    convert pdf out/in.odt
    convert txt:Text out/in.odt
    sum <out/in.txt
    head -c 5 out/in.pdf; echo
    grep -ac '/Type */Page\b' out/in.pdf
}
