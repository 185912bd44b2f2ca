using LazySnapshotter.Registry.Blobs;

namespace LazySnapshotter.Registry.Tests;

public sealed class UrlExpiryTests
{
    private static readonly DateTimeOffset Now = new(2025, 1, 2, 3, 0, 0, TimeSpan.Zero);

    // Seconds from now, less a tenth, at most ten seconds less.
    [Theory]
    [InlineData("", 590)]
    [InlineData("?X-Amz-Date=20250102T030000Z&X-Amz-Expires=1200", 1190)]
    [InlineData("?X-Amz-Date=20250102T025000Z&X-Amz-Expires=1200", 590)]
    [InlineData("?x-amz-expires=60", 54)]
    [InlineData("?X-Goog-Date=20250102T030000Z&X-Goog-Expires=300", 290)]
    [InlineData("?Expires=1735787100&Signature=x", 290)]
    [InlineData("?se=2025-01-02T03%3A05%3A00Z&sig=x", 290)]
    [InlineData("?X-Amz-Date=20250102T010000Z&X-Amz-Expires=1200", 590)]
    [InlineData("?X-Amz-Date=nonsense&X-Amz-Expires=1200", 1190)]
    [InlineData("?X-Amz-Expires=99999999999999999999", 590)]
    [InlineData("?X-Amz-Expires=-5", 590)]
    [InlineData("?Expires=199999999999", 12 * 3600 - 10)]
    [InlineData("?X-Amz-Date=99991231T235959Z&X-Amz-Expires=199999999999", 12 * 3600 - 10)]
    [InlineData("?X-Amz-Date=00010101T000000Z&X-Amz-Expires=1", 590)]
    [InlineData("?Expires=never", 590)]
    [InlineData("?se=soon", 590)]
    [InlineData("?&&=&a&Expires", 590)]
    public void The_end_is_read_from_the_query(string query, int seconds) =>
        Assert.Equal(Now.AddSeconds(seconds), UrlExpiry.Of(new Uri("https://cdn.example/blob" + query), Now));
}
