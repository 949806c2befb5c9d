namespace MlNetDistill.Tests;

/// <summary>Ends a training as a power failure does: nothing is saved any more.</summary>
internal sealed class PowerFailureException : Exception;
