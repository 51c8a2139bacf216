"""First and last names of made-up people."""


def _words(text: str) -> list[str]:
    return text.split()


MALE_NAMES = _words("""
Aaron Adrian Albert Amir Anders Andre Anton Arthur Ben Bruno Caleb Carlos Cedric Colin
Damian Daniel David Diego Dominic Elias Emil Enzo Erik Ethan Felix Finn Florian Frank Gabriel
George Gustav Harry Hassan Hector Hugo Ian Isaac Ivan Jack Jakob Jamal James Jonas José Julian
Karim Kenji Kofi Lars Leo Liam Louis Lukas Marco Mateo Max Miguel Nathan Noah Oliver Oscar Otto
Pablo Patrick Paul Peter Philip Rafael Ravi Robert Samuel Simon Stefan Theo Thomas Tobias Victor
Vincent Walter William Yusuf""")

FEMALE_NAMES = _words("""
Ada Adele Agnes Aisha Alice Alina Amara Amelia Anna Anouk Astrid Beatrice Bella
Bianca Camila Carla Cecilia Charlotte Chiara Clara Claire Daphne Diana Eleanor Elena Elif Elisa
Emily Emma Esther Eva Fatima Fiona Flora Frida Grace Greta Hanna Helen Ida Ines Ingrid Iris Isabel
Jana Jasmine Johanna Julia Karin Kate Laila Laura Lea Lena Lily Lina Louise Lucia Mai Maria Marta
Maya Mia Mira Nadia Naomi Nina Nora Olga Olivia Paula Petra Rosa Ruth Sara Selma Sofia Tara
Valerie Vera Zoë""")

LAST_NAMES = _words("""
Abbott Acosta Adler Ahmed Albrecht Almeida Andersen Archer Aslan Bailey Baker Barros
Baumann Becker Bennett Berg Bianchi Blake Blanc Bauer Bose Boucher Bradley Brandt Bright Burke
Byrne Cardoso Castillo Chan Chapman Chopra Clarke Cohen Colombo Conti Costa Cruz Dahl Dalton
Delgado Desai Diallo Dietrich Dubois Duarte Eklund Ellis Engel Escobar Evans Faber Farrell
Fernandes Ferrari Fischer Fletcher Fontaine Foster Fraser Frey Fuchs Fuentes Gallo Garnier Gibbs
Girard Gomes Graf Grant Greco Gupta Haas Hale Hansen Harper Hartmann Hashimoto Heller Herrera
Hoffmann Holt Horvat Hudson Hussein Ibrahim Ito Jacobs Janssen Jensen Joshi Kaiser Kamara Kaplan
Kaya Keller Kelly Khan Kim Koch Kowalski Kraus Kumar Lambert Lang Larsen Laurent Lehmann Leroy
Lindgren Lombardi Lopes Lund Maier Marchand Marino Marsh Mason Medina Meyer Mensah Moreau Moretti
Müller Murray Nakamura Neumann Nguyen Nielsen Novak Nyström Okafor Olsen Ortega Osman Owens Palmer
Park Patel Perrin Petrov Pinto Popescu Prasad Quinn Ramos Rao Reuter Ricci Richter Rivera Rocha
Rossi Roth Roux Sanders Santoro Sato Schmidt Schneider Schwarz Seidel Shah Shaw Silva Simmons
Soto Stein Stone Suzuki Tanaka Thorne Torres Tran Ueda Vargas Vega Vogel Vogt Wagner Walsh Weber
Weiss Wells Winkler Wolf Wood Yamada Yilmaz York Zamora Zeller Zimmermann""")
