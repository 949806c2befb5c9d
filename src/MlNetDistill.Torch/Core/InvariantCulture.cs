using System.Globalization;

namespace MlNetDistill.Core;

/// <summary>
/// Sets this thread's culture to the invariant culture until disposed. ML.NET writes some numbers of a model (of calibrators and normalizers) as text in the
/// thread's culture; a saved model must have the same bytes in every culture.
/// </summary>
internal sealed class InvariantCulture : IDisposable
{
    private readonly CultureInfo _before = CultureInfo.CurrentCulture;

    public InvariantCulture() => CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;

    public void Dispose() => CultureInfo.CurrentCulture = _before;
}
