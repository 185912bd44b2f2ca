using System.Diagnostics;
using System.Globalization;
using LazySnapshotter.Fuzz;

// make fuzz: mutated inputs against every parser, as many as one likes.
//
//   fuzz [TARGET|all] [--iterations N] [--seed S] [--first I]      run N inputs (default 1,000,000) from the I-th on
//   fuzz TARGET --replay FILE                                      run one input as it is
//
// Ends with exit status 1 at the first input a parser does not survive, which is left in artifacts/fuzz.
var options = new Dictionary<string, string>();
var names = new List<string>();
for (var i = 0; i < args.Length; i++)
{
    if (args[i].StartsWith("--", StringComparison.Ordinal) && i + 1 < args.Length)
        options[args[i][2..]] = args[++i];
    else
        names.Add(args[i]);
}

long Number(string name, long otherwise) => options.TryGetValue(name, out var text) ? long.Parse(text, CultureInfo.InvariantCulture) : otherwise;
var seed = (ulong)Number("seed", 1);
var targets = names is [] or ["all"] ? FuzzTargets.All : [.. names.Select(FuzzTargets.Get)];
try
{
    foreach (var target in targets)
    {
        var run = new FuzzRun(target, seed);
        if (options.TryGetValue("replay", out var file))
        {
            Console.WriteLine($"{target.Name}: {(run.RunOne(File.ReadAllBytes(file)) ? "taken" : "refused")}");
            continue;
        }

        var started = Stopwatch.GetTimestamp();
        var iterations = Number("iterations", 1_000_000);
        run.Run(Number("first", 0), iterations);
        var elapsed = Stopwatch.GetElapsedTime(started).TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{target.Name,-16} {iterations,10} inputs, seed {seed}: {run.Taken} taken, {run.Refused} refused, {elapsed:0.0} s ({iterations / elapsed:0}/s)"));
    }

    return 0;
}
catch (FuzzFailureException failure)
{
    Directory.CreateDirectory("artifacts/fuzz");
    var path = Path.Combine("artifacts/fuzz", $"failure-{DateTime.UtcNow:yyyyMMdd-HHmmss}.bin");
    File.WriteAllBytes(path, failure.ToBytes());
    await Console.Error.WriteLineAsync($"{failure}\nthe input is in {path}");
    return 1;
}
