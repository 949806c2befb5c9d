using System.Globalization;

namespace MlNetDistill.Tests;

/// <summary>
/// All tests in the culture that the environment variable MLNETDISTILL_TEST_CULTURE names (fa-IR, tr-TR), with the processes that they start. It must be set for
/// the build too: else programs are built without the data of cultures.
/// </summary>
[SetUpFixture]
public sealed class TestCulture
{
    public const string Variable = "MLNETDISTILL_TEST_CULTURE";

    [OneTimeSetUp]
    public void SetCulture()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } name)
            return;
        var culture = CultureInfo.GetCultureInfo(name);
        if (1.5.ToString(culture) == 1.5.ToString(CultureInfo.InvariantCulture))
            throw new InvalidOperationException($"{Variable} is {name}, which writes numbers as the invariant culture does: these tests would show nothing.");
        CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = culture;
        Environment.SetEnvironmentVariable("LC_ALL", null);
        Environment.SetEnvironmentVariable("LANG", $"{name.Replace('-', '_')}.UTF-8");
    }

    [OneTimeTearDown]
    public void Check()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } name)
            Assert.That(CultureInfo.CurrentCulture.Name, Is.EqualTo(name), "a test left another culture");
    }
}
