namespace MlNetDistill.Hostile.Uses;

internal static class SharingCases
{
    public static IEnumerable<Case> All => [];
}
