namespace MlNetDistill.Export;

/// <summary>
/// Works around dotnet/machinelearning issue 7339: when ML.NET loads an ONNX model, it writes it to a file with a random name. One name of 32,768 ends in <c>.ort</c>, and
/// ONNX Runtime then expects another format and fails. Loading it again chooses another name.
/// </summary>
internal static class OnnxFileName
{
    private const string ErrorText = "ORT model verification failed";

    // Two such names in a row have a probability of one in a billion.
    private const int Tries = 3;

    /// <summary>Loads a model, and tries again if its file had such a name.</summary>
    public static T LoadWithRetry<T>(Func<T> load)
    {
        for (var left = Tries; ; left--)
        {
            try
            {
                return load();
            }
            catch (Exception e) when (left > 1 && IsFileNameError(e))
            {
                // The next attempt has another name.
            }
        }
    }

    private static bool IsFileNameError(Exception exception)
    {
        for (var e = exception; e is not null; e = e.InnerException)
        {
            if (e.Message.Contains(ErrorText, StringComparison.Ordinal))
                return true;
        }

        return false;
    }
}
