using SharpFuzz;

namespace LazySnapshotter.Fuzz.Guided;

// What runs inside the instrumented copy: under afl-fuzz one input after the other, or by itself, to choose inputs.
internal static class GuidedChild
{
    // What may go into the repository, per target.
    private const int ChosenMax = 8;
    private const int ChosenLengthMax = 1024;

    /// <summary>
    /// Inputs from the fuzzer, until it ends. A failure is a crash to it. In a process of its own beside the one that afl-fuzz
    /// talks to, which starts another one where an input ended it or hung. (In one process it is 1.3 to 1.6 times as fast, and over
    /// with the first such input.)
    /// </summary>
    public static void Serve(FuzzTarget target)
    {
        using var run = new FuzzRun(target, seed: 1);
        var buffer = new byte[target.LengthMax];
        Fuzzer.OutOfProcess.Run(stream =>
        {
            var length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            run.Replay(buffer.AsSpan(0, length));
        });
    }

    /// <summary>
    /// Copies a few inputs: time and again the one that goes through most branches that neither the seeds do nor those before it.
    /// </summary>
    public static void Choose(BranchMap map, FuzzTarget target, string from, string to)
    {
        using var run = new FuzzRun(target, seed: 1);
        var seen = new HashSet<int>();
        // Twice: what is done once per process would look like a merit of the first.
        foreach (var seed in target.Seeds.Concat(target.Seeds))
            seen.UnionWith(map.MarksOf(() => run.Replay(seed)));
        var candidates = new DirectoryInfo(from).EnumerateFiles().Where(file => file.Length <= ChosenLengthMax).OrderBy(file => file.Length)
            .Select(file => File.ReadAllBytes(file.FullName))
            .Select(input => (Input: input, Marks: map.MarksOf(() => run.Replay(input)))).ToList();
        Directory.CreateDirectory(to);
        for (var count = 0; count < ChosenMax; count++)
        {
            foreach (var (_, marks) in candidates)
                marks.ExceptWith(seen);
            candidates.RemoveAll(candidate => candidate.Marks.Count == 0);
            if (candidates.Count == 0)
                return;
            var (input, found) = candidates.MaxBy(candidate => candidate.Marks.Count);
            File.WriteAllBytes(Path.Combine(to, GuidedRun.NameOf(input)), input);
            seen.UnionWith(found);
        }
    }
}
