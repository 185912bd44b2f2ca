using LazySnapshotter.Benchmarks;
using LazySnapshotter.Benchmarks.Index;
using LazySnapshotter.Benchmarks.IndexBuild;
using LazySnapshotter.Benchmarks.Inflate;
using LazySnapshotter.Benchmarks.Start;
using LazySnapshotter.TestSupport.Images;

// `make bench`: what this project does beside what does it otherwise, in turns, in one run. Medians and ratios are worth
// quoting; on a shared machine the seconds are not. One argument picks one benchmark, what follows is for that one:
//
//   inflate [ROUNDS [FILE.gz...]]   index [FILE.gz...]   index-memory [GB [ENTRIES]]   open [ENTRIES [BUILD_ENTRIES]]   tree
//   start        (the native program beside the JIT's, which is built for it; only when asked for)
//   soci         (beside Debian trixie's `soci create`, which tests/matrix/fetch-soci.sh gets; only when asked for)
//   boundaries   (every block boundary of five layers of 400 MB; only when asked for: it proves, and measures nothing)
var only = args.Length > 0 ? args[0] : null;
if (only == IndexMemoryBenchmark.ChildArgument)
{
    await IndexMemoryBenchmark.RunChildAsync();
    return;
}

if (only is null or "inflate")
    await InflateBenchmark.RunAsync(only is null ? [] : args[1..]);
if (only is null or "open")
    OpenBenchmark.Run(only is null ? [] : args[1..]);
if (only is null or "index")
    await IndexBuildBenchmark.RunAsync(only is null ? [] : args[1..]);
if (only is null or "index-memory")
{
    await IndexMemoryBenchmark.RunAsync(Number(1, 4) * 1_000_000_000L, entryCount: Number(2, 500_000));

    int Number(int position, int otherwise) =>
        args.Length > position ? int.Parse(args[position], System.Globalization.CultureInfo.InvariantCulture) : otherwise;
}

if (only is null or "index" or "tree")
    Console.WriteLine($"{"",-44}{"ours",10}{"peer",10}{"ours/peer",11}");
if (only is null || (only is "index" && args.Length == 1))
    await IndexBenchmark.RunAsync(await TestImages.Java);
if (only is null or "tree")
    await TreeBenchmark.RunAsync(await TestImages.Java);
if (only is "start")
    await StartBenchmark.RunAsync(await TestImages.Java);
if (only is "soci")
    await SociBenchmark.RunAsync(await TestImages.Java);
if (only is "boundaries")
    BoundarySweep.Run(await BenchmarkData.BuildAsync("gzip", "go", "pigz", "igzip", "libdeflate"));
