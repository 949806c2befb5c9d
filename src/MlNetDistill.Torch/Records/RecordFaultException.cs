namespace MlNetDistill.Records;

/// <summary>A record does not hold what it should. The message is the end of a sentence that begins with the name of the file, or a sentence of its own.</summary>
internal sealed class RecordFaultException(string message) : InvalidOperationException(message);
