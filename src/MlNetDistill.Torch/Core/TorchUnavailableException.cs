namespace MlNetDistill.Core;

/// <summary>TorchSharp's native library cannot be loaded in this process, so nothing can be trained. Thrown before anything is read or trained.</summary>
public sealed class TorchUnavailableException : Exception
{
    internal TorchUnavailableException(LoadFailure failure, string loaderMessage, Exception? cause)
        : base(failure.Message, cause)
    {
        LoaderMessage = loaderMessage;
        MissingVersion = failure.MissingVersion;
        Remedy = failure.Remedy;
    }

    /// <summary>The message of the system's dynamic loader; empty on a platform without a library of TorchSharp, where nothing was loaded.</summary>
    public string LoaderMessage { get; }

    /// <summary>The version that a library of this system lacks, for example <c>GLIBCXX_3.4.32</c>; null if that is not the problem.</summary>
    public string? MissingVersion { get; }

    /// <summary>What to do about it on this system.</summary>
    public string Remedy { get; }
}
