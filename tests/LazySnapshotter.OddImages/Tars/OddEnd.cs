using LazySnapshotter.TestSupport.Tars;

namespace LazySnapshotter.OddImages.Tars;

// How a tar ends: mostly with two zero blocks.
internal static class OddEnd
{
    public static byte[] Of(Dice dice, TestTar tar)
    {
        var end = "two zero blocks";
        if (dice.OneIn(8))
            end = dice.PickNoted("a tar that ends with", "nothing", "one zero block", "garbage", "zeros", "another tar");
        else if (dice.OneIn(Math.Max(1, dice.Wrongness / 10)))
        {
            end = dice.PickNoted(
                "a tar that ends with", "a header cut short", "data cut short", "a pax header", "a long name", "half a zero block",
                "garbage at once");
        }

        return end switch
        {
            "two zero blocks" => tar.End(),
            "nothing" => tar.WithoutEnd(),
            "one zero block" => [.. tar.WithoutEnd(), .. new byte[TestTar.BlockLength]],
            "garbage" => [.. tar.End(), .. dice.Bytes(dice.Pick(1, 512, 5000))],
            "zeros" => [.. tar.End(), .. new byte[10_240]],
            "another tar" => [.. tar.End(), .. new TestTar().Add("behind", data: "the end").End()],
            "a header cut short" => [.. tar.WithoutEnd(), .. new TestTar().Add("cut").WithoutEnd()[..dice.Pick(1, 200, 511)]],
            "data cut short" =>
                [.. tar.WithoutEnd(), .. new TestTar().Add("cut", data: dice.Text(2000)).WithoutEnd()[..dice.Pick(512, 600, 2512, 2559)]],
            "a pax header" => tar.Pax(("mtime", "1")).End(),
            "a long name" => tar.Add("././@LongLink", 'L', "name\0").WithoutEnd(),
            "half a zero block" => [.. tar.WithoutEnd(), .. new byte[dice.Pick(100, 511, 700)]],
            _ => [.. tar.WithoutEnd(), .. dice.Bytes(1024)],
        };
    }
}
