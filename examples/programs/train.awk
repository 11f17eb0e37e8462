# Reads training rows, the class last; writes the scale of each feature and the centre of each class.
NR > 1 {
    rows[$NF]++
    for (i = 1; i < NF; i++) {
        sum[i] += $i
        squares[i] += $i * $i
        total[$NF, i] += $i
    }
    features = NF - 1
    all++
}
END {
    line = "scale"
    for (i = 1; i <= features; i++) {
        spread = sqrt(squares[i] / all - (sum[i] / all) ^ 2)
        line = line sprintf(",%.12g", spread ^ power)
    }
    print line
    for (class in rows) {
        line = class
        for (i = 1; i <= features; i++) line = line sprintf(",%.12g", total[class, i] / rows[class])
        print line
    }
}
