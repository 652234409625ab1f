packages="ghostscript fonts-urw-base35"
work() {
    cat >w.ps <<'P'
%!PS
1 1 12 { /n exch def
  /Helvetica findfont 9 n add scalefont setfont
  0 1 60 { /i exch def 40 i 11 mul 40 add moveto i n mul 10 string cvs show ( quick brown fox ) show
    gsave i 61 div n 12 div 0.5 setrgbcolor 300 i 9 mul 60 add 3 n add 0 360 arc fill grestore } for
  /Times-Italic findfont 40 scalefont setfont 100 400 moveto 30 rotate (Page) true charpath stroke
  /a 2000 array def 0 1 1999 { a exch dup n mul 7919 mul 1009 mod 20 string cvs put } for
  /d 500 dict def a { dup length d 3 1 roll put } forall
  showpage } for
P
    gs -q -dBATCH -dNOPAUSE -dSAFER -sDEVICE=ppmraw -r90 -dTextAlphaBits=4 -sOutputFile=p%02d.ppm w.ps
    cat p*.ppm | sum
    gs -q -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -sOutputFile=w.pdf w.ps
    gs -q -dBATCH -dNOPAUSE -sDEVICE=pgmraw -r60 -dNumRenderingThreads=2 -dMaxBitmap=1000 -sOutputFile=- w.pdf | sum
}
