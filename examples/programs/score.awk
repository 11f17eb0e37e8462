# Reads what train.awk has written, then test rows; the last line is the result.
FNR == NR && $1 == "scale" { for (i = 2; i <= NF; i++) scale[i - 1] = $i; next }
FNR == NR { for (i = 2; i <= NF; i++) centre[$1, i - 1] = $i; classes[$1]; next }
FNR > 1 {
    best = ""
    for (class in classes) {
        distance = 0
        for (i = 1; i < NF; i++) distance += (($i - centre[class, i]) / scale[i]) ^ 2
        if (best == "" || distance < least) { best = class; least = distance }
    }
    right += (best == $NF)
    all++
}
END { printf "{\"accuracy\": %.12g, \"errors\": %d}\n", right / all, all - right }
