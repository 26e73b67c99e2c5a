package main

import "strings"

// scalars are tried plain, as values, keys and items, and in quotes.
var scalars = []string{
	"y", "Y", "n", "N", "yes", "Yes", "YES", "no", "on", "On", "off", "OFF", "true", "True", "TRUE", "tRUE", "false", "False",
	"~", "null", "Null", "NULL", "nULL", "nil", "none",
	"0", "1", "-1", "+1", "-0", "+0", "00", "01", "07", "08", "09", "010", "0777", "-017", "+017", "0o17", "-0o17", "0O17", "0o8", "0o-7",
	"0x1F", "0X1f", "-0x1f", "0xg", "0x", "0b11", "-0b11", "0B11", "0b12", "0b-11", "0b", "1_000", "_1", "1_", "1__0", "0_7", "0x_1F", "+1_0",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
	"18446744073709551616", "+9223372036854775808", "100000000000000000000", "0xFFFFFFFFFFFFFFFF", "-0x8000000000000000", "0b1111111111111111111111111111111111111111111111111111111111111111",
	"1.0", "1.5", "1.", ".5", "-.5", "+.5", ".", "..", "-.", "1.5.2", "1e3", "1E3", "1e+3", "1e-3", "1e", "1e1000", "1e-1000", "-1e5", "1.e5", ".5e3", ".e3",
	"1_0.5", "1.5_0", ".5_0", "0.1", "0.10", "1e6", "1e20", "1e21", "1e22", "123456789.5", "1234567890123456789.5", "1e-6", "1e-7", "0.000001", "1.7976931348623157e308", "5e-324",
	"-0.0", "0e0", "00.5", "0.0", "12e03", "1e15", "123456.75", "1234567.75",
	".inf", ".Inf", ".INF", "+.inf", "-.inf", "-.INF", ".nan", ".NaN", ".NAN", "inf", "NaN", "Inf", ".iNF",
	"1:20", "190:20:30", "190:20:30.15", "1:60", "12:30:45", "-1:20", "1:2:3:4", "1:", "0:0", "1_0:20",
	"2020-01-01", "2020-1-1", "2020-13-01", "2020-02-30", "2020-02-29", "2021-02-29", "1900-02-29", "2000-02-29", "0000-01-01",
	"2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.10", "2001-12-14 21:59:43.10 -5", "2001-12-15T02:59:43.1Z", "2001-12-15T2:59:43Z", "2001-12-15T24:00:00Z",
	"2001-12-15T02:59:43.123456789123Z", "2001-12-15T02:59:43,5Z", "2001-12-15T02:59:43.000Z", "2001-12-15T02:59:43+00:00", "2001-12-15T02:59:43+01:30", "2001-12-15T02:59:43+0130", "2001-12-15T02:59:60Z", "2020-01-01T00:00Z", "20-01-01", "2020-01", "2020-01-01x",
	"=", "<<", "<", ">x", "a<<", "0.1.2", "v1", "1.2.3", "a b", "a  b", "a: b", "a :b", "a:b", "a#b", "a #b", "#a", "-a", "- a", "-", "--", "---", "----", "--- a", "...", "....", "?", "?a", "? a", ":", ":a", "a:", "a,b", ",a", "[", "]", "{", "}", "{a", "a{", "a]", "[]", "{}", "&a", "*a", "!a", "|", "|a", ">", "%a", "a%", "@a", "a@", "`a", "'", "''", "\"", "'a", "\"a", "it's", "a\"b", "a\\b", "\\", "C:\\x",
	"é", "日本語", "a\u00a0b", "\u00a0", "a\u2028b", "a\u2029b", "a\u0085b", "\ufeffa", "a\ufeffb", "\U0001F389", "a \U0001F600 b", "\ufffd", "\u00ad", "٣", "١٢",
	"a\tb", "\ta", "a\t", "!!str", "! a", "~a", "~ ", "nullx", "truex", "0x1Fg", "1a", "a1", "e3", "1e3x", "+", "+a", "-+1", "1-2", "1+2", "0-1", "..1", "1..2",
}

// strs are values to print: they enter as JSON strings.
var strs = []string{
	"", " ", "  ", "a ", " a", "\n", "\n\n", "a\n", "a\n\n", "\na", "\n a", " \na", "a\nb", "a\nb\n", "a\n\nb\n\n\n", "a \nb", "a\n b", "a\n  b\n c", "a\tb\nc", "\ta\nb", "a\r\nb", "a\rb", "a\n\tb", "a\nb ", "a\nb\n ", "\n\n a\n",
	"#a\nb", "a: b\nc", "- a\nb", "---\na", "a\n---\nb", "a\u2028b\nc", "a\u0085b", "a \u0085 b", "a\u0085\u0085b", "\u0085a", "a\u0085", "a\nb\u0085c", "\x00", "\x01", "\x1b", "\x07\x08\x0b\x0c", "\x7f", "\u009f", "\ufeff", "\ufeffab", "a\ufeff", "\ufffe", "\uffff", "\U0001F389\nx", "\U0010FFFF", "\u00a0", "é\nü", "'", "''\n", "\"\n", "it's: x", "it's: 'x'", "a\\nb", "<>&", "a\u2029 b", "a b\u2028 c",
}

func lorem(words int, word string) string {
	return strings.TrimSuffix(repeat(word+" ", words), " ")
}

func inputs() []string {
	var in []string
	add := func(s ...string) { in = append(in, s...) }
	for _, s := range scalars {
		add("a: " + s + "\n")
	}
	for i, s := range scalars {
		switch i % 5 {
		case 0:
			add(s + ": 1\n")
		case 1:
			add("- " + s + "\n- [" + s + "]\n")
		case 2:
			add("a: {b: " + s + "}\n")
		case 3:
			add("a: {" + s + ": 1}\n")
		case 4:
			add(s)
		}
		if !strings.ContainsAny(s, "'\"\\") {
			add("x: {\"" + s + "\": '" + s + "'}\n")
		}
	}
	for _, tag := range []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!binary", "!!timestamp", "!!map", "!!seq", "!", "!custom", "!<tag:yaml.org,2002:str>", "!<x>", "!!foo", "!e!x", "!a%20b", "!!", "!<", "!<>", "!a%zz", "!!set", "!!merge"} {
		for _, v := range []string{"", "1", "true", "x", "1.5", "\"1\"", "'true'", "~", "aGVsbG8=", "2020-01-01", "[a]", "{a: b}", "|\n  x", "yes", "1_0", "0x_f"} {
			add("a: " + tag + " " + v + "\n")
		}
	}
	for _, s := range strs {
		add(toJSON(map[string]string{"k": s}), toJSON(map[string]string{s: "v"}), toJSON([]any{s, []any{s}, map[string]any{"x": s}}))
		add(toJSON(s))
	}
	// folding
	for _, word := range []string{"word", "wo'rd", "wo: rd", "x", "longer-word-than-others", "é", "日本語", "a  b", "\U0001F600", "wörd:", "# w", "\"q\"", "back\\slash", "tab\t", "\u00a0x", "yes"} {
		for _, n := range []int{1, 5, 15, 17, 18, 19, 40, 80} {
			text := lorem(n, word)
			add(toJSON(map[string]any{"key": text}))
			if n > 10 {
				add(toJSON(map[string]any{"deep": map[string]any{"deeper": []any{text, map[string]any{"x": text}}}}))
				add(toJSON(map[string]any{text: 1}))
				add(toJSON(map[string]any{"k": text + "\nand\n" + text}))
			}
		}
	}
	for n := 60; n < 90; n++ {
		add(toJSON(map[string]any{"k": repeat("a", n) + " b c " + repeat("d", 10)}), toJSON(map[string]any{"k": repeat("a", n) + "  b: c " + repeat("d", 10) + " "}))
	}
	for _, n := range []int{126, 127, 128, 129, 1023, 1024, 1025, 2000} {
		add(repeat("k", n)+": v\n", "\""+repeat("k", n)+"\": v\n", "{"+repeat("k", n)+": v}\n", "? "+repeat("k", n)+"\n: v\n")
	}
	// block scalars
	for _, ind := range []string{"|", ">", "|-", "|+", ">-", ">+", "|2", ">2-", "|+1", "|0", "|10", "|a", "| #c", "|# c", "|-2", "|1-"} {
		for _, body := range []string{"", "\n", "\n  a\n", "\n  a", "\n  a\n\n", "\n\n  a\n", "\n  a\n  b\n", "\n  a\n\n  b\n", "\n  a\n   b\n  c\n", "\n   a\n  b\n", "\n  a \n  b\n", "\n\ta\n", "\n  a\n\tb\n", "\n  a\n b: c\n", "\n  # x\n", "\n  a\n# x\n  b\n", "\r\n  a\r\n  b\r\n", "\n    \n  a\n", "\n  a\n    \n\n"} {
			add("k: " + ind + body)
		}
		add("- "+ind+"\n  a\n  b\n- c\n", ind+"\n a\n b\n", "a:\n  b: "+ind+"\n    x\n    y\n  c: d\n", "--- "+ind+"\n x\n", "k: "+ind+"\n  a\n...\n")
	}
	add(documents...)
	add(merges...)
	add(printing...)
	for _, n := range []int{1, 5, 50, 99} {
		add(repeat("[", n)+repeat("]", n), repeat("{a: ", n)+"1"+repeat("}", n), repeat("- ", n)+"x\n")
		var b strings.Builder
		for i := range n {
			b.WriteString(repeat(" ", i) + "a:\n")
		}
		add(b.String())
	}
	add(repeat("[", 50), repeat("]", 5), repeat("{", 20), repeat("- - ", 20))
	return in
}
