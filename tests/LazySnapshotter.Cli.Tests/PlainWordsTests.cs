using LazySnapshotter.Cli.Output;

namespace LazySnapshotter.Cli.Tests;

public sealed class PlainWordsTests
{
    [Theory]
    [InlineData("Access to the path '/nowhere/x' is denied.", "/nowhere/x: permission denied")]
    [InlineData("Access to the path '/tmp' is denied.", "/tmp: it is a directory, not a file")]
    [InlineData("Could not find file '/x y'.", "/x y: no such file")]
    [InlineData("Could not find a part of the path '/nowhere/at/all'.", "/nowhere/at/all: there is no directory /nowhere")]
    [InlineData("Could not find a part of the path '/proc/version/x'.", "/proc/version: it is a file, not a directory")]
    [InlineData("The file '/x' already exists.", "/x: it exists already, as a file")]
    [InlineData("No space left on device : '/x/y'", "/x/y: no space left on device")]
    [InlineData("metadata database /x: Read-only file system : '/x.lock'", "metadata database /x: /x.lock: read-only file system")]
    [InlineData("Value cannot be null. (Parameter 'path')", "Value cannot be null.")]
    [InlineData("says \x1b[31mred\r\n\tand more", "says ?[31mred and more")]
    [InlineData("nothing to change: 'a' : b", "nothing to change: 'a' : b")]
    public void What_dotnet_says_is_said_as_a_tool_would(string said, string meant) => Assert.Equal(meant, PlainWords.Of(said));

    [Fact]
    public void Wrappers_are_looked_through_and_bugs_are_called_so()
    {
        Assert.Equal("a; b", Failure.Describe(
            new AggregateException(new IOException("a"), new AggregateException(new IOException("b"), new IOException("a")))));
        Assert.Equal("deep", Failure.Describe(new TypeInitializationException("T", new IOException("deep"))));
        Assert.Equal(
            "x: The SSL connection could not be established: no trust",
            Failure.Describe(new IOException(
                "x: The SSL connection could not be established, see inner exception.",
                new HttpRequestException(
                    "The SSL connection could not be established, see inner exception.", new IOException("no trust")))));
        Assert.StartsWith("internal error: ", Failure.Describe(new InvalidOperationException("oops")), StringComparison.Ordinal);
        Assert.StartsWith("internal error: ", Failure.Describe(
            new AggregateException(new IOException("a"), new NotFiniteNumberException("b"))), StringComparison.Ordinal);
        Assert.StartsWith("internal error: ", Failure.Describe(new ArgumentNullException("path")), StringComparison.Ordinal);
    }
}
