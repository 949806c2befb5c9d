namespace MlNetDistill.Cache;

/// <summary>A file is not the expected teacher cache. The message is the end of a sentence about the file, which a caller completes.</summary>
internal sealed class CacheFormatException(string message) : Exception(message);
