using LazySnapshotter.Benchmarks;
using LazySnapshotter.TestSupport.Images;

// `make bench`: what this project does beside what does it otherwise, in turns, in one run. Medians and ratios are worth
// quoting; on a shared machine the seconds are not.
Console.WriteLine($"{"",-44}{"ours",10}{"peer",10}{"ours/peer",11}");
await IndexBenchmark.RunAsync(await TestImages.Java);
await TreeBenchmark.RunAsync(await TestImages.Java);
