namespace MlNetDistill.Tests;

/// <summary>The account of a golden file: each record is checked, or named with the reason why it is left out.</summary>
internal static class GoldenAccount
{
    /// <summary>Fails for a record that is neither checked nor named, for one that is both, and for a name that no record has.</summary>
    /// <param name="file">The golden file.</param>
    /// <param name="isChecked">Whether a record is compared by a test.</param>
    /// <param name="leftOut">Names of records that are left out, with the reason.</param>
    public static void Check(string file, Func<GoldenRecord, bool> isChecked, IReadOnlyDictionary<string, string> leftOut)
    {
        var records = GoldenRecord.ReadAll(file);
        Assert.That(records.Where(r => !isChecked(r) && !leftOut.ContainsKey(r.Name)).Select(r => r.Name).Distinct(), Is.Empty, "neither checked nor named");
        Assert.That(records.Where(r => isChecked(r) && leftOut.ContainsKey(r.Name)).Select(r => r.Name).Distinct(), Is.Empty, "checked and named");
        Assert.That(leftOut.Keys.Except(records.Select(r => r.Name)), Is.Empty, "named, and not in the file");
        Assert.That(records.Any(isChecked), Is.True, "nothing is checked");
    }
}
