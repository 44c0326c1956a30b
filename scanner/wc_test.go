package scanner_test
import ("testing";"time";"fmt";"context";"os";"path/filepath"
"github.com/b10lint/b10lint/internal/worstcase"
"github.com/b10lint/b10lint/rules"
"github.com/b10lint/b10lint/scanner"
"github.com/b10lint/b10lint/scanner/source"
"github.com/b10lint/b10lint/scanner/source/disk"
)
func TestT(t *testing.T) {
	for _, c := range worstcase.All() {
		if w := os.Getenv("ONLY"); w != "" && w != c.Name { continue }
		s := ""
		for _, n := range []int{64<<10, 512<<10} {
			d := c.Make(n)
			st := time.Now(); k:=0
			rules.Find(c.Name, d, nil, func(rules.Match) bool { k++; return true })
			e := time.Since(st)
			dir := t.TempDir()
			os.WriteFile(filepath.Join(dir, c.Name), d, 0o644)
			st = time.Now()
			r, _, _ := scanner.Scan(context.Background(), source.Target{Source: disk.Dir(dir, disk.Options{Jobs: 1})}, scanner.Options{Comments: scanner.CommentsInFiles})
			e2 := time.Since(st)
			s += fmt.Sprintf("  %7d %6d %8.1f MB/s | scan %8.1f MB/s p%d", len(d), k, float64(len(d))/1e6/e.Seconds(), float64(len(d))/1e6/e2.Seconds(), len(r.Problems))
		}
		fmt.Printf("%-28s %s\n", c.Name, s)
	}
}
