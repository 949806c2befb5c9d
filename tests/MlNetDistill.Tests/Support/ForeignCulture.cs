using System.Globalization;

namespace MlNetDistill.Tests.Support;

/// <summary>
/// This thread in a culture that writes numbers as no other does, until disposed. It is made here, as tests run without the data of cultures unless they are told
/// one.
/// </summary>
internal sealed class ForeignCulture : IDisposable
{
    private readonly CultureInfo _before = CultureInfo.CurrentCulture;

    public ForeignCulture()
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = culture.NumberFormat.PercentDecimalSeparator = "¤";
        culture.NumberFormat.NumberGroupSeparator = culture.NumberFormat.NegativeSign = "~";
        CultureInfo.CurrentCulture = culture;
    }

    public void Dispose() => CultureInfo.CurrentCulture = _before;
}
