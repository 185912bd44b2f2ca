using SharpFuzz;

namespace LazySnapshotter.Fuzz.Guided;

// What runs inside the instrumented copy: under afl-fuzz one input after the other, or by itself, to choose inputs.
internal static class GuidedChild
{
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
    /// Copies the inputs worth keeping: the shortest first, each that goes through branches that the seeds and those before it
    /// do not, as long as there is room.
    /// </summary>
    public static void Choose(BranchMap map, FuzzTarget target, string from, string to, int lengthMax, int roomBytes)
    {
        using var run = new FuzzRun(target, seed: 1);
        // Twice: what is done once per process would look like a merit of the first.
        foreach (var seed in target.Seeds.Concat(target.Seeds))
        {
            map.Begin();
            run.Replay(seed);
            map.TakeNew();
        }

        Directory.CreateDirectory(to);
        foreach (var file in new DirectoryInfo(from).EnumerateFiles().Where(file => file.Length <= lengthMax).OrderBy(file => file.Length))
        {
            var input = File.ReadAllBytes(file.FullName);
            map.Begin();
            run.Replay(input);
            if (map.TakeNew() == 0 || input.Length > roomBytes)
                continue;
            roomBytes -= input.Length;
            File.WriteAllBytes(Path.Combine(to, GuidedRun.NameOf(input)), input);
        }
    }
}
