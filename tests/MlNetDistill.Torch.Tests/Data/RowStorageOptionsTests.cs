using MlNetDistill.Data;

namespace MlNetDistill.Tests;

public sealed class RowStorageOptionsTests
{
    [TestCase(null, null)]
    [TestCase(0L, "rows")]
    [TestCase(1L, null)]
    public void A_limit_of_0_bytes_or_more_and_a_folder_or_none_are_valid(long? limit, string? folder) =>
        Assert.That(new RowStorageOptions { MemoryLimit = limit, Folder = folder }.Validate("RowStorage"), Is.Empty);

    [Test]
    public void Each_fault_is_told() => Assert.That(
        new RowStorageOptions { MemoryLimit = -1, Folder = " " }.Validate("RowStorage"),
        Is.EqualTo(new[]
        {
            "RowStorage.MemoryLimit must be a number of bytes, 0 or more, or null; was -1.",
            "RowStorage.Folder must be a folder, or null for none; was ' '.",
        }));

    // A block of about a mebibyte, and of the blocks at a time an eighth of the limit, but 16 at least and 512 at most.
    [TestCase(4096, 1L << 30, 256, 128)]
    [TestCase(1000, 1L << 30, 1048, 128)]
    [TestCase(1, 256L << 20, 1 << 20, 32)]
    [TestCase(3 << 20, 1L << 30, 1, 42)]
    [TestCase(3 << 20, 0L, 1, 16)]
    [TestCase(4096, 1L << 50, 256, 512)]
    public void Blocks_are_of_about_a_mebibyte_and_take_an_eighth_of_the_limit(int rowBytes, long limit, int rows, int together) =>
        Assert.That(RowStorageOptions.BlocksFor(rowBytes, limit), Is.EqualTo(new RowBlocks(rows, together)));
}
