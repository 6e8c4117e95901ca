// Command eval measures what the product's choices rest on, offline: how near
// the labelled texts are to the offline embedding model, which limits part
// them, and how those limits do on texts that had no say in them.
//
// Trigger: make eval. A second call prints the same.
package main

import (
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"blogposter/lib/config"
	"blogposter/lib/nearness"
	"blogposter/scripts/eval/calibrate"
	"blogposter/scripts/modelserver/vector"
	"blogposter/scripts/modelserver/wire"
)

func main() {
	env := config.OS()
	table := env.Need("MODEL_VECTORS", "the offline model's table of word vectors; scripts/stack/vectors.sh makes one")
	err := env.Err()
	if err == nil {
		err = run(os.Stdout, os.DirFS("."), table)
	}
	if err != nil {
		slog.Error("nothing was measured", "err", err)
		os.Exit(1)
	}
}

// run prints the calibration of the offline model; root is the repository.
func run(out io.Writer, root fs.FS, table string) error {
	vectors, err := vector.Open(table)
	if err != nil {
		return err
	}
	texts, err := calibrate.Corpus(root)
	if err != nil {
		return err
	}
	r, err := calibrate.Measure(wire.EmbeddingModel, texts, func(text string) ([]float32, error) { return vectors.Embed(text), nil })
	if err != nil {
		return err
	}
	report(out, r)
	known, err := nearness.Calibrated(wire.EmbeddingModel)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nthe product has:      %d components, gap %.2f, subject %.2f, duplicate %.2f (%s, %s)\n",
		known.Components, known.Gap, known.Subject, known.Duplicate, known.MeasuredOn, known.Date)
	return err
}

// report prints a Result for a person. Faults of out show in run's last line.
func report(out io.Writer, r calibrate.Result) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	say("%s: how near labelled texts are, and the limits that part them\n", r.Chosen.Model)
	say("%-22s%s", "taken out", "different/near pairs parted   adjusted Rand of clusters")
	for _, t := range r.Tried {
		name := fmt.Sprintf("mean, %d components", t.Components)
		if t.Components < 0 {
			name = "nothing"
		}
		say("  %-20s%.3f %28.2f", name, t.Parted, t.Rand)
	}
	for _, part := range []struct {
		name string
		calibrate.Judged
	}{{"fit part (chose the limits)", r.Fit}, {"held-out part (other pages, other subjects)", r.Held}} {
		say("\n%s\n  %-10s %7s %6s %6s %6s %6s %6s %6s %6s   %5s %9s", part.name, "pairs", "count", "least", "1 %", "5 %", "median", "95 %", "99 %", "most", "right", "precision")
		for _, k := range calibrate.Classes() {
			list := part.Pairs[k]
			say("  %-10s %7d %6.2f %6.2f %6.2f %6.2f %6.2f %6.2f %6.2f   %.2f  %.2f", k, len(list), calibrate.Quantile(list, 0), calibrate.Quantile(list, 0.01),
				calibrate.Quantile(list, 0.05), calibrate.Quantile(list, 0.5), calibrate.Quantile(list, 0.95), calibrate.Quantile(list, 0.99), calibrate.Quantile(list, 1),
				part.Right[k], part.Precise[k])
		}
		say("  accuracy %.3f (mean of the classes); %d pages on %d subjects in %d clusters: adjusted Rand %.2f, purity %.2f",
			part.Accuracy(), part.Pages, part.Subjects, part.Clusters, part.Rand, part.Purity)
	}
	say("\nthe fit part chooses: %d components, gap %.2f, subject %.2f, duplicate %.2f", r.Chosen.Components, r.Chosen.Gap, r.Chosen.Subject, r.Chosen.Duplicate)
}
