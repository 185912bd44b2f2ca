namespace LazySnapshotter.OddImages;

// Everything that is random about an image comes from one seed. What is odd about it is noted on the way, so that a failure
// can be told in one line.
internal sealed class Dice(int seed)
{
    private readonly Random _random = new(seed);
    private readonly List<string> _notes = [];
    private string _part = "";

    /// <summary>One in how many chances to be refused is taken. Images differ in it: some are hardly odd, some are hardly images.</summary>
    public int Wrongness { get; set; } = int.MaxValue;

    /// <summary>In one line: what is odd, part by part.</summary>
    public string Recipe => string.Join("; ", _notes);

    /// <summary>What is noted from now on is about this part of the image.</summary>
    public void StartPart(string name) => _part = name + ": ";

    public int Below(int bound) => _random.Next(bound);

    public bool OneIn(int chances) => _random.Next(chances) == 0;

    /// <summary>True in one of so many cases, and then it is noted.</summary>
    public bool Odd(int chances, string note)
    {
        if (!OneIn(chances))
            return false;
        Note(note);
        return true;
    }

    public T Pick<T>(params ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];

    /// <summary>True in one of so many cases as this image is wrong in; for what containerd will most likely refuse.</summary>
    public bool Wrong(string note) => Odd(Wrongness, note);

    /// <summary>One of a few, and a note which.</summary>
    public string PickNoted(string what, params ReadOnlySpan<string> choices)
    {
        var choice = Pick(choices);
        Note($"{what} {choice}");
        return choice;
    }

    /// <summary>Text of Latin-1 characters that compresses neither well nor badly.</summary>
    public string Text(int length) => string.Create(length, _random, static (span, random) =>
    {
        foreach (ref var character in span)
            character = (char)random.Next('a', 'q');
    });

    public byte[] Bytes(int length)
    {
        var bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    public void Note(string note)
    {
        var line = _part + string.Concat(note.Select(c => c is >= ' ' and < (char)0x7F ? c.ToString() : $"\\x{(int)c:x2}"));
        if (!_notes.Contains(line))
            _notes.Add(line);
    }
}
