package rules
import ("testing";"os";"fmt")
func BenchmarkSweep(b *testing.B){
 data,_:=os.ReadFile("/usr/local/go/src/runtime/proc.go")
 for _,n:=range []int{1<<10,4<<10,32<<10,128<<10,512<<10,8<<20,64<<20} { d:=make([]byte,0,n); for len(d)<n { d=append(d,data[:min(len(data),n-len(d))]...) }
 b.Run(fmt.Sprint(n), func(b *testing.B){ b.SetBytes(int64(n)); for b.Loop(){ sweep(d,0,len(d),func(hit,int){}) } })
 b.Run(fmt.Sprint("find",n), func(b *testing.B){ b.SetBytes(int64(n)); for b.Loop(){ Find("x",d,nil,func(Match)bool{return true}) } })
 }
}
