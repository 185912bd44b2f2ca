namespace LazySnapshotter.Fuzz.Tests;

public sealed class FuzzOptionsTests
{
    [Theory]
    [InlineData("--guidd tar", "there is no option --guidd")]
    [InlineData("-h", "there is no option -h")]
    [InlineData("tarr", "there is no target \"tarr\"")]
    [InlineData("tar --seed", "--seed: its value is missing")]
    [InlineData("tar --iterations many", "--iterations: \"many\" is not a number")]
    [InlineData("tar --first -1", "--first: \"-1\" is not a number")]
    [InlineData("--guided tar --minutes 0", "--minutes: \"0\" is not a number of minutes")]
    [InlineData("tar --minutes 5", "--minutes goes with --guided only")]
    [InlineData("tar --keep", "--keep goes with --guided only")]
    [InlineData("--guided tar --seed 3", "--seed does not go with --guided")]
    public void What_makes_no_sense_is_refused_by_name(string arguments, string complaint) =>
        Assert.Contains(
            complaint, Assert.Throws<FormatException>(() => FuzzOptions.Parse(arguments.Split(' '))).Message, StringComparison.Ordinal);

    [Fact]
    public void Targets_are_named_or_all()
    {
        Assert.Equal(
            ["tar", "gzip"], FuzzOptions.Parse(["--guided", "tar", "gzip", "--minutes", "1.5"]).Targets.Select(target => target.Name));
        Assert.Equal(FuzzTargets.All, FuzzOptions.Parse(["all", "--seed", "7"]).Targets);
        Assert.Equal(FuzzTargets.All, FuzzOptions.Parse([]).Targets);
    }
}
