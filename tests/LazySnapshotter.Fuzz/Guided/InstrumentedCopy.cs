using SharpFuzz;

namespace LazySnapshotter.Fuzz.Guided;

// A copy of this program whose parsers leave a mark at each branch (SharpFuzz), for a fuzzer that looks at the marks. A
// folder of its own, so that neither tests nor measurements ever load it.
internal static class InstrumentedCopy
{
    // The program itself, and parsers of others that ours hand whole documents to: what they do with them shows as well.
    private static readonly string[] _others = ["lazysnap.dll", "Tomlyn.dll", "Google.Protobuf.dll"];

    /// <summary>Where the copy begins: what to give `dotnet`.</summary>
    public static string Make(string folder)
    {
        // New files, not old ones written over: a fuzzer may still run from there.
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        var program = typeof(InstrumentedCopy).Assembly.GetName().Name + ".dll";
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(AppContext.BaseDirectory, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
            var name = Path.GetFileName(copy);
            if (name.EndsWith(".dll", StringComparison.Ordinal) && name != program
                && (name.StartsWith("LazySnapshotter.", StringComparison.Ordinal) || _others.Contains(name)))
                Fuzzer.Instrument(copy, _ => true, Options.Value);
        }

        return Path.Combine(folder, program);
    }
}
