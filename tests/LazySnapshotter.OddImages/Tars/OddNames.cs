namespace LazySnapshotter.OddImages.Tars;

// Names out of a pool so small that entries meet: those for directories, and those for what lies in them. Latin-1: one
// character, one byte.
internal sealed class OddNames(Dice dice)
{
    private static readonly string[] Directories = ["d", "e", "lib", "usr"];
    private static readonly string[] Leaves = ["f", "g", "h", "k", "m"];
    private static readonly string[] Rare =
        ["\u00fe\u00ff", "new\nline", "sp ace", "back\\slash", "-dash", "*", "\u00c3\u00a4", "...", "wh.f", ".wh"];

    private const int NameLengthMax = 255;

    public string Directory() => dice.Pick(Directories);

    public string Leaf() =>
        dice.OneIn(25) ? dice.Pick(Rare) : dice.OneIn(30) ? LongName() : dice.OneIn(6) ? Directory() : dice.Pick(Leaves);

    /// <summary>"" for the root, or one to three names.</summary>
    public string Parent()
    {
        var depth = dice.Pick(0, 0, 1, 1, 1, 2, 2, 3);
        return string.Join('/', Enumerable.Range(0, depth).Select(_ => Directory()));
    }

    public static string Join(string parent, string name) => parent.Length == 0 ? name : $"{parent}/{name}";

    /// <summary>The same path, mostly as it is, sometimes written in another way.</summary>
    public string Spell(string path, bool mayEndInSlash = true)
    {
        if (!dice.OneIn(8))
            return path;
        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var (first, rest) = slash < 0 ? (path, "") : (path[..slash], path[slash..]);
        return dice.PickNoted("a name with", "./", "/", "//", "/./", "../", "x/../", "/ at the end") switch
        {
            "./" => "./" + path,
            "/" => "/" + path,
            "//" => "//" + first + rest.Replace("/", "//", StringComparison.Ordinal),
            "/./" => first + rest.Replace("/", "/./", StringComparison.Ordinal),
            "../" => "../" + path,
            "x/../" => $"{Directory()}/../{path}",
            _ => mayEndInSlash ? path + "/" : path,
        };
    }

    /// <summary>Where a symbolic link leads: mostly to a directory's name, by all the ways there are.</summary>
    public string LinkTarget()
    {
        var directory = dice.Wrong("a link that may lead to itself") ? Directory() : dice.Pick("usr", "lib", "usr/lib", "usr/d");
        return dice.Below(14) switch
        {
            0 => "../" + directory,
            1 => "../../../" + directory,
            2 => "/" + directory,
            3 => $"./{Directory()}/../{directory}",
            4 => "..",
            5 => "missing/and/deep",
            6 => dice.Wrong("a link to a file") ? dice.Pick(Leaves) : "new",
            7 => dice.OneIn(3) ? new string('t', dice.Wrong("a target of 4096 bytes") ? 4096 : dice.Pick(100, 101, 255)) : "/",
            8 => "//usr//lib//",
            _ => directory,
        };
    }

    private string LongName()
    {
        var length = dice.Wrong("a name too long") ? NameLengthMax + 1 : dice.Pick(99, 100, 101, 155, 200, NameLengthMax);
        dice.Note($"a name of {length} bytes");
        return new string('n', length);
    }
}
