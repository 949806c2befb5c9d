namespace MlNetDistill.Hostile.Uses;

internal static class TeacherCases
{
    public static IEnumerable<Case> All => [];
}
