using System.Globalization;

namespace MlNetDistill.Core;

/// <summary>
/// This thread in the invariant culture until disposed. ML.NET writes some numbers of a model (a calibrator's, a normaliser's) as text in the thread's culture;
/// a model must be the same bytes wherever it is saved.
/// </summary>
internal sealed class InvariantCulture : IDisposable
{
    private readonly CultureInfo _before = CultureInfo.CurrentCulture;

    public InvariantCulture() => CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

    public void Dispose() => CultureInfo.CurrentCulture = _before;
}
