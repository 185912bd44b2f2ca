using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;

namespace LazySnapshotter.Fuzz.Guided;

// afl-fuzz over one target: inputs that lead through branches nobody saw before are kept and become the origin of others.
// It begins with the seeds, the repository's corpus and what the run before found. All of it lies in artifacts/fuzz:
//
//   instrumented/                 the copy that runs
//   guided/TARGET/{inputs,afl}    where a run begins, what afl-fuzz makes of it
//   failures/TARGET-HASH.bin      inputs that crash or hang
internal sealed class GuidedRun(FuzzTarget target, string artifacts, string program)
{
    // An input takes a millisecond at most; this is for a machine that is busy, and for a child that begins anew.
    private const int HangMilliseconds = 10_000;

    // Of the heap of a child; a bomb becomes an OutOfMemoryException.
    private const string HeapLimitHex = "0x40000000";

    private readonly string _inputs = Path.Combine(artifacts, "guided", target.Name, "inputs");
    private readonly string _afl = Path.Combine(artifacts, "guided", target.Name, "afl");
    private readonly string _failures = Path.Combine(artifacts, "failures");

    private string Queue => Path.Combine(_afl, "default", "queue");

    public static string NameOf(ReadOnlySpan<byte> input) => Convert.ToHexStringLower(SHA256.HashData(input).AsSpan(0, 6)) + ".bin";

    /// <exception cref="InvalidOperationException">afl-fuzz did not do its work; the message says what it said.</exception>
    public async Task<GuidedResult> RunAsync(double minutes)
    {
        PrepareInputs();
        var seconds = ((int)Math.Ceiling(minutes * 60)).ToString(CultureInfo.InvariantCulture);
        var arguments = new List<string>
        {
            "-i", _inputs, "-o", _afl, "-V", seconds, "-t", HangMilliseconds.ToString(CultureInfo.InvariantCulture), "-m", "none",
            "-G", target.LengthMax.ToString(CultureInfo.InvariantCulture),
        };
        if (target.Words.Count > 0)
            arguments.AddRange(["-x", WriteWords()]);
        await RunProgramAsync("afl-fuzz", [.. arguments, "--", "dotnet", program, "--serve", target.Name]);
        var result = GuidedResult.Read(target, Path.Combine(_afl, "default", "fuzzer_stats"));
        KeepFailures("crashes");
        KeepFailures("hangs");
        return result;
    }

    /// <summary>Replaces the repository's corpus by a choice from it and from what was found.</summary>
    public async Task KeepAsync(string corpus)
    {
        var folder = Path.Combine(corpus, target.Name);
        var chosen = Path.Combine(artifacts, "guided", target.Name, "chosen");
        if (Directory.Exists(chosen))
            Directory.Delete(chosen, recursive: true);
        await RunProgramAsync("dotnet", [program, "--choose", target.Name, Queue, chosen]);
        Directory.CreateDirectory(folder);
        // Findings have names that a person gave them, and stay.
        foreach (var old in Directory.EnumerateFiles(folder).Where(file => Path.GetFileName(file) == NameOf(File.ReadAllBytes(file))))
            File.Delete(old);
        foreach (var file in Directory.EnumerateFiles(chosen))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
    }

    private void PrepareInputs()
    {
        if (Directory.Exists(_inputs))
            Directory.Delete(_inputs, recursive: true);
        Directory.CreateDirectory(_inputs);
        var known = Directory.Exists(Queue) ? Directory.EnumerateFiles(Queue).Select(File.ReadAllBytes) : [];
        var inputs = target.Seeds.Concat(FuzzCorpus.Of(target).Select(file => file.Bytes)).Concat(known);
        foreach (var input in inputs.Where(input => input.Length > 0))
            File.WriteAllBytes(Path.Combine(_inputs, NameOf(input)), input);
        if (Directory.Exists(_afl))
            Directory.Delete(_afl, recursive: true);
    }

    // AFL's form: one quoted word a line, bytes that are not plain in hexadecimal.
    private string WriteWords()
    {
        var path = Path.Combine(artifacts, "guided", target.Name, "words");
        File.WriteAllLines(path, target.Words.Select(word => "\"" + string.Concat(System.Text.Encoding.UTF8.GetBytes(word).Select(value =>
            value is > (byte)' ' and < 127 and not ((byte)'"' or (byte)'\\') ? ((char)value).ToString() : $"\\x{value:x2}")) + "\""));
        return path;
    }

    private void KeepFailures(string kind)
    {
        var folder = Path.Combine(_afl, "default", kind);
        if (!Directory.Exists(folder))
            return;
        foreach (var file in Directory.EnumerateFiles(folder, "id*"))
        {
            var input = File.ReadAllBytes(file);
            Directory.CreateDirectory(_failures);
            var path = Path.Combine(_failures, $"{target.Name}-{NameOf(input)}");
            File.WriteAllBytes(path, input);
            var shown = Path.GetRelativePath(Environment.CurrentDirectory, path);
            Console.WriteLine($"{target.Name}: {kind}: make fuzz ARGS=\"{target.Name} --replay {shown}\"");
        }
    }

    // Its output is a screen of its own, of which the end is shown where it fails.
    private static async Task RunProgramAsync(string name, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (variable, value) in Environments())
            start.Environment[variable] = value;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{name} did not start");
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        var said = (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Concat(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        if (process.ExitCode != 0)
            throw new InvalidOperationException(
                $"{name} ended with exit status {process.ExitCode}:\n{string.Join('\n', said.TakeLast(20))}");
    }

    private static IEnumerable<(string Variable, string Value)> Environments() =>
    [
        ("AFL_SKIP_BIN_CHECK", "1"), // `dotnet` is no program that AFL compiled.
        ("AFL_NO_UI", "1"),
        ("AFL_NO_AFFINITY", "1"), // The collector and the compiler have threads of their own.
        ("AFL_SKIP_CPUFREQ", "1"), // Neither this nor the next may change the machine's settings.
        ("AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES", "1"),
        ("AFL_TESTCACHE_SIZE", "50"),
        ("DOTNET_GCHeapHardLimit", HeapLimitHex),
        ("DOTNET_gcConcurrent", "0"),
        ("DOTNET_TieredPGO", "0"), // It would count branches too, at run time.
        ("DOTNET_DbgEnableMiniDump", "0"),
    ];
}
