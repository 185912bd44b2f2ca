using System.Diagnostics;
using System.Globalization;
using LazySnapshotter.Fuzz;
using LazySnapshotter.Fuzz.Guided;

// make fuzz: inputs against every parser, as many as one likes.
//
//   fuzz [TARGET...|all] [--iterations N] [--seed S] [--first I]    run N mutated inputs (default 1,000,000) from the I-th on
//   fuzz TARGET --replay FILE                                       run one input as it is
//   fuzz --guided [TARGET...|all] [--minutes N] [--keep]            let afl-fuzz look for inputs, N minutes (default 5) for each
//                                                                   target; --keep puts the best few into the repository
//
// Ends with exit status 1 at the first input a parser does not survive, which is left in artifacts/fuzz (guided: at the end
// of the run, all of them), and with 2 if the arguments make no sense.
const string artifacts = "artifacts/fuzz";

switch (args)
{
    // What a guided run starts inside its instrumented copy, where nothing of ours runs without a map to mark.
    case ["--serve", var name]:
        new BranchMap().Attach();
        GuidedChild.Serve(FuzzTargets.Get(name));
        return 0;
    case ["--choose", var name, var from, var to]:
        var map = new BranchMap();
        map.Attach();
        GuidedChild.Choose(map, FuzzTargets.Get(name), from, to);
        return 0;
}

try
{
    var options = FuzzOptions.Parse(args);
    return options.IsGuided ? await RunGuidedAsync(options) : RunMutated(options);
}
catch (FormatException e)
{
    await Console.Error.WriteLineAsync($"fuzz: {e.Message}");
    return 2;
}

static async Task<int> RunGuidedAsync(FuzzOptions options)
{
    var folder = Path.GetFullPath(artifacts);
    var program = InstrumentedCopy.Make(Path.Combine(folder, "instrumented"));
    var isGood = true;
    foreach (var target in options.Targets)
    {
        var run = new GuidedRun(target, folder, program);
        try
        {
            var result = await run.RunAsync(options.Minutes);
            Console.WriteLine(result);
            isGood &= result is { Crashes: 0, Hangs: 0 };
            if (options.Keeps)
                await run.KeepAsync("tests/LazySnapshotter.Fuzz/Corpus");
        }
        catch (InvalidOperationException e)
        {
            Console.WriteLine($"{target.Name}: {e.Message}");
            isGood = false;
        }
    }

    return isGood ? 0 : 1;
}

static int RunMutated(FuzzOptions options)
{
    try
    {
        foreach (var target in options.Targets)
        {
            using var run = new FuzzRun(target, options.Seed);
            if (options.ReplayFile is { } file)
            {
                Console.WriteLine($"{target.Name}: {(run.Replay(File.ReadAllBytes(file)) ? "taken" : "refused")}");
                continue;
            }

            var started = Stopwatch.GetTimestamp();
            run.Run(options.First, options.Iterations);
            var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{target.Name,-18} {options.Iterations,10} inputs, seed {options.Seed}: {run.Taken} taken, {run.Refused} refused, "
                + $"{elapsed:0.0} s ({options.Iterations / elapsed:0}/s)"));
        }

        return 0;
    }
    catch (FuzzFailureException failure)
    {
        Directory.CreateDirectory(artifacts);
        var path = Path.Combine(artifacts, $"failure-{DateTime.UtcNow:yyyyMMdd-HHmmss}.bin");
        File.WriteAllBytes(path, failure.ToBytes());
        Console.Error.WriteLine($"{failure}\nthe input is in {path}");
        return 1;
    }
}
