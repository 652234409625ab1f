# Batch: buffers, regular expressions, JSON, compiling, processes; its dumped heap holds what another malloc gave, and it frees none of that.
packages="emacs-nox"
work() {
    lines 40000 >text
    cat >w.el <<'L'
(with-temp-buffer
  (insert-file-contents "text") (sort-lines nil (point-min) (point-max))
  (goto-char (point-min)) (let ((n 0)) (while (re-search-forward "\\([0-9a-f]+\\) line \\([0-9]+\\)" nil t) (setq n (+ n (string-to-number (match-string 2)))) (replace-match "\\2-\\1")) (princ (format "%d %s\n" n (md5 (current-buffer)))))
  (let ((h (make-hash-table :test 'equal)))
    (dotimes (i 200000) (puthash (format "k%d" (% (* i 7919) 10007)) (make-string (% i 90) ?v) h))
    (let (all) (maphash (lambda (k v) (push (concat k v) all)) h) (princ (format "%d %s\n" (hash-table-count h) (md5 (mapconcat #'identity (sort all #'string<) ",")))))
    (princ (format "%s\n" (md5 (json-serialize h)))))
  (undo-boundary) (dotimes (i 300) (goto-char (1+ (% (* i 104729) (point-max)))) (insert (make-string (* i 37) ?x))) (princ (format "%s\n" (md5 (current-buffer)))))
(garbage-collect)
(defun work-fib (n) (if (< n 2) n (+ (work-fib (- n 1)) (work-fib (- n 2)))))
(byte-compile 'work-fib) (princ (format "%d\n" (work-fib 24)))
(princ (shell-command-to-string "wc -l text"))
(require 'org) (with-temp-buffer (org-mode) (dotimes (i 400) (insert (format "* head %d\n- *bold* [[http://x/%d]] =code=\n| a | %d |\n" i i i))) (princ (format "%d\n" (length (org-element-map (org-element-parse-buffer) 'link #'identity)))))
L
    emacs -Q --batch -l w.el
}
