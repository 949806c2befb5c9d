namespace MlNetDistill.Hostile.Uses;

internal static class WarningCases
{
    public static IEnumerable<Case> All => [];
}
