using MlNetDistill.Cache;

namespace MlNetDistill.Tests.Cache;

/// <summary>A file of an earlier run that cannot be emptied.</summary>
public sealed class ClearFailureTests
{
    [Test]
    public void A_file_that_cannot_be_emptied_is_a_failure_to_write_it()
    {
        var path = Path.GetTempFileName();
        try
        {
            using var file = new Unchangeable(path);
            using var writer = new CacheWriter(file, new CacheLayout(ToyCache.Key(10)));
            Assert.That(writer.Clear, Throws.TypeOf<CacheWriteException>().With.InnerException.TypeOf<IOException>());
        }
        finally
        {
            File.Delete(path);
        }
    }

    private sealed class Unchangeable(string path) : FileStream(path, FileMode.Open, FileAccess.ReadWrite)
    {
        public override void SetLength(long value) => throw new IOException("The disk is gone.");
    }
}
