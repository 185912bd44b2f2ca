using System.Globalization;
using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.OddImages.Tars;

// How one entry's facts are written: in the header, in base 256, in a pax header before it, by GNU's long names. Mostly the
// plainest way that can say it.
internal sealed class OddHeader(Dice dice, TestTar tar)
{
    private const int NameRoom = 100;

    private readonly List<(string Key, string Value)> _pax = [];
    private readonly List<Action<byte[]>> _tweaks = [];
    private readonly List<Action> _before = [];

    public int Mode { get; set; } = 0x1A4;

    public int Uid { get; set; }

    public int Gid { get; set; }

    public long Mtime { get; set; } = 1_000_000_000;

    public long? Size { get; set; }

    public OddHeader Pax(string key, string value)
    {
        _pax.Add((key, value));
        return this;
    }

    public OddHeader Tweak(Action<byte[]> tweak)
    {
        _tweaks.Add(tweak);
        return this;
    }

    /// <summary>Owner, times and modes as odd as they come.</summary>
    public OddHeader Attributes()
    {
        Mode = dice.Pick(0x1A4, 0x1ED, 0x180, 0x1ED, 0x9ED, 0x5ED, 0x3FF, 0xFFF, 0, 0x81A4);
        (Uid, Gid) = (dice.Pick(0, 0, 1, 1000, 65534), dice.Pick(0, 0, 5, 1000));
        Mtime = dice.Pick(0, 1, 1_000_000_000L + dice.Below(500_000_000), 1_500_000_000);
        OddTime();
        OddOwner();
        return this;
    }

    public void Write(string name, char type, string data = "", string link = "")
    {
        PutLongName(name);
        PutLongLink(link);
        if (dice.Odd(40, "a v7 header"))
            Tweak(header => header.AsSpan(257, 255).Clear());
        else if (dice.Odd(40, "a GNU header"))
            Tweak(header => TestTar.Put(header, 257, "ustar  \0"));
        foreach (var write in _before)
            write();
        if (_pax.Count > 0)
            tar.Pax([.. _pax]);
        var isSigned = dice.Odd(60, "a signed checksum");
        tar.Add(Cut(name), type, data, Cut(link), Mode, Uid, Gid, Mtime, Size, header =>
        {
            foreach (var tweak in _tweaks)
                tweak(header);
        }, isSigned);
    }

    private void OddTime()
    {
        if (dice.OneIn(4))
            Pax("mtime", $"{Mtime}.{dice.Below(1_000_000_000):D9}");
        else if (dice.OneIn(25))
            Pax("mtime", dice.PickNoted("mtime", "-1", "-0.5", "-62135596800", "0.000000001", "9223372036.854775807", "9223372037", "1."));
        else if (dice.Wrong("a time that is none"))
            Pax("mtime", dice.PickNoted("mtime", ".5", "1.5x", "1e9", " 1", "1.-5", "+1", "99999999999999999999"));
        else if (dice.Odd(50, "mtime in base 256"))
            Tweak(header => Base256(header, 136, 12, dice.Pick(-1L, 1L << 34, 1L << 40, 1_234_567_890)));
        else if (dice.Odd(50, "no mtime"))
            Tweak(header => header.AsSpan(136, 12).Clear());
    }

    private void OddOwner()
    {
        if (dice.OneIn(25))
            Pax("uid", dice.PickNoted("uid", "100000", "2147483647", "4294967294", ""));
        else if (dice.Wrong("an owner that is none"))
            Pax("gid", dice.PickNoted("gid", "4294967295", "4294967296", "-1", "-2", "x", "1.0", "+1", "9223372036854775808"));
        else if (dice.Odd(50, "gid in base 256"))
        {
            var gid = dice.Wrong("a group that is none") ? dice.Pick(-1L, 5_000_000_000) : dice.Pick(70_000L, 3_000_000_000);
            Tweak(header => Base256(header, 116, 8, gid));
        }
    }

    private void PutLongName(string name)
    {
        var parted = name.Length > NameRoom ? name.LastIndexOf('/', Math.Min(name.Length - 2, 154)) : -1;
        if (name.Length <= NameRoom && !dice.OneIn(25))
            return;
        switch (dice.Below(3))
        {
            case 0 when parted > 0 && name.Length - parted - 1 <= NameRoom:
                dice.Note("a ustar prefix");
                Tweak(header =>
                {
                    header.AsSpan(0, NameRoom).Clear();
                    TestTar.Put(header, 0, name[(parted + 1)..]);
                    TestTar.Put(header, 345, name[..parted]);
                });
                break;
            case 1:
                dice.Note("a pax path");
                Pax("path", name);
                break;
            default:
                dice.Note("a GNU long name");
                _before.Add(() => tar.Add("././@LongLink", 'L', name + "\0"));
                break;
        }
    }

    private void PutLongLink(string link)
    {
        if (link.Length <= NameRoom)
            return;
        if (dice.OneIn(2))
            Pax("linkpath", link);
        else
            _before.Add(() => tar.Add("././@LongLink", 'K', link + "\0"));
    }

    private static string Cut(string name) => name.Length <= NameRoom ? name : name[..NameRoom];

    public static void Base256(byte[] header, int offset, int length, long value)
    {
        for (var i = length - 1; i >= 0; i--, value >>= 8)
            header[offset + i] = (byte)value;
        header[offset] = (byte)(header[offset] & 0x7F | 0x80);
    }

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
