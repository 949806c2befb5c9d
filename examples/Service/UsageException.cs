namespace Service;

/// <summary>The service was started with wrong settings; the message says how to correct them.</summary>
internal sealed class UsageException(string message) : Exception(message);
