namespace MlNetDistill.Cache;

/// <summary>The system could not write to a cache file. Told apart from the errors of a teacher, which is queried while the file is written.</summary>
internal sealed class CacheWriteException(long written, Exception cause) : Exception(cause.Message, cause)
{
    /// <summary>Bytes that the file had before.</summary>
    public long Written => written;
}
