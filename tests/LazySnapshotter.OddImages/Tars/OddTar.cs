using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.OddImages.Tars;

// One layer's tar: entries in a random order out of a small pool of names, so that files, directories, links and whiteouts meet.
// It remembers what it made, because a tar of nothing but clashes would only ever be refused: most entries fit what is there.
internal sealed class OddTar
{
    private const int UnlikelyTries = 6;

    /// <summary>Stands for the type of what a whiteout removed.</summary>
    private const char Hidden = 'w';

    private readonly Dice _dice;
    private readonly OddNames _names;
    private readonly TestTar _tar = new();
    private readonly Dictionary<string, char> _made = [];

    // One in how many entries is odd in a way that containerd can live with.
    private readonly int _oddness;

    private OddTar(Dice dice)
    {
        _dice = dice;
        _names = new OddNames(dice);
        _oddness = dice.Pick(5, 10, 20);
    }

    /// <param name="mark">Content of a file that makes the layer unlike every other one.</param>
    public static byte[] Build(Dice dice, string mark)
    {
        var tar = new OddTar(dice);
        if (dice.Odd(50, "no entries"))
            return tar._tar.End();
        var count = 1 + dice.Below(24);
        var markAt = dice.Below(count);
        for (var i = 0; i < count; i++)
        {
            if (i == markAt)
                tar._tar.Add(".mark", data: mark);
            tar.AddEntry();
        }

        return OddEnd.Of(dice, tar._tar);
    }

    private void AddEntry()
    {
        switch (_dice.Below(100))
        {
            case < 30: AddFile(); break;
            case < 52: AddDirectory(); break;
            case < 66: Add('2', link: _names.LinkTarget()); break;
            case < 76: AddHardLink(); break;
            case < 85: AddWhiteout(); break;
            case < 89: AddOpaque(); break;
            case < 91: Add('6'); break;
            case < 94: AddDevice(); break;
            case < 97: AddSparse(); break;
            default: AddOther(); break;
        }
    }

    private void AddFile()
    {
        var data = _dice.Text(_dice.Pick(0, 1, 10, 511, 512, 513, 3000, 70_000));
        Add(_dice.Wrong("type 7") ? '7' : _dice.OneIn(_oddness) ? '\0' : '0', data);
    }

    private void AddDirectory()
    {
        var path = OddNames.Join(_names.Parent(), _names.Directory());
        Write(path, _names.Spell(_dice.OneIn(2) ? path + "/" : path), '5', Header(0x1ED));
    }

    private void Add(char type, string data = "", string link = "")
    {
        var path = NewPath();
        Write(path, _names.Spell(path), type, Header(0x1A4), data, link);
    }

    private void AddHardLink()
    {
        var targets = _made.Where(made => made.Value is not ('5' or Hidden)).Select(made => made.Key).ToArray();
        var isWrong = _dice.Wrong("a hard link to something else");
        if (targets.Length == 0 && !isWrong)
            return;
        var target = isWrong
            ? _dice.Pick(OddNames.Join(_names.Parent(), _names.Leaf()), _names.Directory(), "missing")
            : _dice.Pick<string>(targets);
        var header = Header(0x1A4);
        if (_dice.Odd(_oddness * 3, "a hard link that states a size"))
            header.Size = _dice.Pick(1, 512, 5000);
        var path = NewPath();
        if (path == target && !isWrong && !_dice.Wrong("a hard link to itself"))
            return;
        Write(path, _names.Spell(path), '1', header, link: _names.Spell(target, mayEndInSlash: isWrong));
    }

    // Mostly of what this layer does not have, as a tool would write them.
    private void AddWhiteout()
    {
        if (_dice.Wrong("a whiteout of nothing"))
        {
            var nothing = _dice.PickNoted("a whiteout", ".wh.", ".wh..", ".wh...", ".wh..wh.orph/x", ".wh.f/g");
            Write(nothing, OddNames.Join(_names.Parent(), nothing), '0', Header(0x1A4));
            return;
        }

        var leaf = _dice.OneIn(_oddness) ? _dice.PickNoted("a whiteout of", ".wh.f", ".wh..plnk", ".wh.aufs") : _names.Leaf();
        var path = OddNames.Join(_names.Parent(), leaf);
        if (!Fits(path) || (Exists(path) && !_dice.Wrong("a whiteout of what the layer has")))
            return;
        var type = _dice.OneIn(_oddness) ? _dice.PickNoted("a whiteout of type", "5", "2", "1", "3", "6")[0] : '0';
        var slash = path.LastIndexOf('/') + 1;
        var data = type == '0' && _dice.OneIn(10) ? "data" : "";
        Write(path, _names.Spell($"{path[..slash]}.wh.{path[slash..]}"), type, Header(0x180), data, type is '1' or '2' ? "f" : "");
        _made[path] = Hidden;
    }

    private void AddOpaque()
    {
        var directories = _made.Where(made => made.Value == '5').Select(made => made.Key).ToArray();
        var directory = directories.Length > 0 && _dice.OneIn(2) ? _dice.Pick<string>(directories) : _names.Parent();
        if (!Fits(OddNames.Join(directory, "x")))
            return;
        var isListed = _made.ContainsKey(directory);
        _dice.Note(directory.Length == 0 ? "an opaque root" : isListed ? "an opaque marker" : "an opaque marker in an unlisted directory");
        var type = _dice.OneIn(_oddness) ? _dice.PickNoted("an opaque marker of type", "5", "2", "1")[0] : '0';
        Header(0x180).Write(_names.Spell(OddNames.Join(directory, ".wh..wh..opq")), type, link: type is '1' or '2' ? "f" : "");
    }

    private void AddDevice()
    {
        var (major, minor) = _dice.Wrong("a device number too high")
            ? _dice.Pick((4096, 0), (0, 1 << 20))
            : _dice.Pick((1, 3), (0, 0), (8, 1), (4095, 1048575), (259, 300000));
        _dice.Note($"a device {major}:{minor}");
        var header = Header(0x180).Tweak(block =>
        {
            TestTar.Put(block, 329, TestTar.Octal(major, 7));
            TestTar.Put(block, 337, TestTar.Octal(minor, 7));
        });
        var path = NewPath();
        Write(path, path, _dice.Pick('3', '4'), header);
    }

    private void AddSparse()
    {
        var path = NewPath();
        OddSparse.Write(_dice, _tar, path);
        Made(path, '0');
    }

    private void AddOther()
    {
        switch (_dice.Below(6))
        {
            case 0:
                _dice.Note("a global header");
                var comment = TestTar.PaxRecord(_dice.Pick("comment", "mtime", "path"), _dice.Pick("1", "2000000000.5"));
                _tar.Add(_dice.Pick("pax_global_header", "deep/down/g", _names.Leaf()), 'g', comment);
                break;
            case 1 when _dice.Wrong("a type of its own"):
                Add(_dice.PickNoted("type", "S", "D", "V", "M", "N", "A", "X", "8")[0], _dice.OneIn(2) ? "data" : "");
                break;
            case 2:
                _dice.Note("a size on what has no data");
                var header = Header(0x1ED);
                header.Size = 700;
                Write("e", "e", _dice.Pick('5', '2', '6'), header, link: "d");
                break;
            case 3:
                _dice.Note("the root itself");
                _tar.Add(_dice.Pick("./", ".", "/", "", "d/.."), '5', mode: 0x1C0, uid: 7, mtime: 5);
                break;
            case 4 when _dice.Wrong("a root that is no directory"):
                _tar.Add(_dice.Pick("./", ".", "/"), _dice.Pick('0', '2', '1'), link: "d");
                break;
            default:
                _dice.Note("pax records without an entry's need");
                _tar.Pax(("LIBARCHIVE.creationtime", "1"), ("comment", _dice.Text(2000)), ("atime", "5"), ("ctime", "6.5"), ("path", ""));
                AddFile();
                break;
        }
    }

    private void Write(string path, string name, char type, OddHeader header, string data = "", string link = "")
    {
        header.Write(name, type, data, link);
        Made(path, type);
    }

    private void Made(string path, char type)
    {
        if (type != '5')
        {
            foreach (var below in _made.Keys.Where(each => each.StartsWith(path + "/", StringComparison.Ordinal)).ToList())
                _made.Remove(below);
        }

        _made[path] = type;
    }

    private OddHeader Header(int mode)
    {
        var header = new OddHeader(_dice, _tar) { Mode = mode };
        if (_dice.OneIn(3))
            header.Attributes();
        if (_dice.OneIn(_oddness))
            OddXattrs.AddTo(header, _dice);
        return header;
    }

    private string NewPath()
    {
        var path = OddNames.Join(_names.Parent(), _names.Leaf());
        for (var i = 0; i < UnlikelyTries && !(Fits(path) && (!_made.TryGetValue(path, out var type) || type != '5')); i++)
            path = OddNames.Join(_names.Parent(), _names.Leaf());
        return path;
    }

    /// <summary>Whether nothing on the way is known to be no directory; sometimes that is not asked.</summary>
    private bool Fits(string path)
    {
        if (_dice.Wrong("whatever is on the way"))
            return true;
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash >= 0; slash = path.IndexOf('/', slash + 1))
        {
            if (_made.TryGetValue(path[..slash], out var type) && type is not ('5' or '2'))
                return false;
        }

        return true;
    }

    private bool Exists(string path) =>
        _made.ContainsKey(path) || _made.Keys.Any(each => each.StartsWith(path + "/", StringComparison.Ordinal));
}
