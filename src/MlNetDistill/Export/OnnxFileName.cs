namespace MlNetDistill.Export;

/// <summary>
/// ML.NET gives the file that a loaded ONNX model lies in a random name, and one of 32,768 ends in <c>.ort</c>: ONNX Runtime then takes it for a format of its own
/// and refuses it (dotnet/machinelearning issue 7339). Loaded again it has another name.
/// </summary>
internal static class OnnxFileName
{
    private const string ErrorText = "ORT model verification failed";

    // Two such names in a row come once in a billion times.
    private const int Tries = 3;

    /// <summary>Loads a model, again where its file had such a name.</summary>
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
                // The next one is another.
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
