namespace Service;

/// <summary>The service was started wrongly; the message says how to do it.</summary>
internal sealed class UsageException(string message) : Exception(message);
