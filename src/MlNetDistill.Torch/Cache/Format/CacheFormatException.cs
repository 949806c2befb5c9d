namespace MlNetDistill.Cache;

/// <summary>A record does not hold what it should. The message is what a sentence about the file ends with. It never reaches the user as it is.</summary>
internal sealed class CacheFormatException(string message) : Exception(message);
